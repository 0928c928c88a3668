-- The application reads the epoch from siteward.cluster. siteward's guard creates that table and lets everybody read it; where it was
-- created before the guard did so, or by somebody else, the right is given here. Without the table there is nothing to do.
DO $$
DECLARE
  app_role text := current_setting('birthday.app_role');
  owner_role oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'siteward');
BEGIN
  IF owner_role IS NULL OR NOT pg_has_role(owner_role, 'USAGE') THEN
    RETURN;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA siteward TO %I', app_role);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA siteward GRANT SELECT ON TABLES TO %I', app_role);
  IF to_regclass('siteward.cluster') IS NOT NULL THEN
    EXECUTE format('GRANT SELECT ON siteward.cluster TO %I', app_role);
  END IF;
END $$;
