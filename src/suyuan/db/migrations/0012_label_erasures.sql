-- The record of a label can be erased, journalled as everything that is. The reference is GTIN/track/serial: records of
-- that label that were there before the entry are gone.
ALTER TABLE erasure_journal DROP CONSTRAINT erasure_journal_kind_check;
ALTER TABLE erasure_journal ADD CONSTRAINT erasure_journal_kind_check
    CHECK (kind IN ('subject', 'event', 'evidence', 'label'));
