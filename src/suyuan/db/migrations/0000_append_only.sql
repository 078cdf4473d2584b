-- Append-only is held by the database itself, so that no code path, present or future, can change what is
-- stored. A correction is a new row. What may be forgotten lies in tables of its own, from which the role
-- suyuan_eraser alone may delete; nothing may update or truncate either kind.
--
-- Row triggers are cloned to partitions (made now or later); TRUNCATE triggers are not, which is why
-- partitions are made through ensure_partitions, that protects each one. ENABLE ALWAYS: a session in
-- replication mode does not get past them either. Against who may ALTER or DROP the table nothing here
-- helps: the role that serves requests should not own the tables.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'suyuan_eraser') THEN
        CREATE ROLE suyuan_eraser NOLOGIN;
    END IF;
EXCEPTION
    -- Roles belong to the whole server: another database's migration may have been a moment earlier.
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role suyuan_eraser is missing and this user may not create it'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'As a superuser: CREATE ROLE suyuan_eraser NOLOGIN; GRANT suyuan_eraser TO '
                         || quote_ident(current_user) || ';';
END
$$;

CREATE FUNCTION forbid_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_ARGV[0] = 'erasable' AND current_user = 'suyuan_eraser' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% on % is refused: stored rows never change', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'SY001',
              TABLE = TG_TABLE_NAME,
              HINT = CASE WHEN TG_ARGV[0] = 'erasable'
                          THEN 'Only the role suyuan_eraser may delete here, and nobody may update.'
                          ELSE 'A correction is a new row.' END;
END
$$;

CREATE FUNCTION protect_from_change(target regclass, kind text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION forbid_change(%L)', target, kind);
    EXECUTE format('CREATE TRIGGER forbid_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION forbid_change(%L)', target, kind);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forbid_change', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forbid_truncate', target);
END
$$;

CREATE FUNCTION protect_append_only(target regclass) RETURNS void
LANGUAGE sql AS $$
    SELECT protect_from_change(target, 'append-only');
$$;

CREATE FUNCTION protect_erasable(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM protect_from_change(target, 'erasable');
    EXECUTE format('GRANT SELECT, DELETE ON %s TO suyuan_eraser', target);
END
$$;
