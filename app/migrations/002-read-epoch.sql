-- The application reads the epoch from siteward.cluster, which siteward's guard creates and alone writes, maybe after this has run. So both
-- are granted: what is there, and by default what the migrating role (the one the guard uses) creates there later.
DO $$
DECLARE
  app_role text := current_setting('birthday.app_role');
BEGIN
  CREATE SCHEMA IF NOT EXISTS siteward;
  EXECUTE format('GRANT USAGE ON SCHEMA siteward TO %I', app_role);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA siteward GRANT SELECT ON TABLES TO %I', app_role);
  IF to_regclass('siteward.cluster') IS NOT NULL THEN
    EXECUTE format('GRANT SELECT ON siteward.cluster TO %I', app_role);
  END IF;
END $$;
