-- Who of the party was shown personal data: a user's ID, or a token's at a door of machines. Empty where it was not
-- noted: before this, and at the command line.
ALTER TABLE vault_reveal ADD COLUMN actor text NOT NULL DEFAULT '';
