-- Who was born when. The application's role is given by the migrating program as the setting birthday.app_role.
CREATE SCHEMA IF NOT EXISTS base;

CREATE TABLE IF NOT EXISTS base.users (
  username varchar(20) PRIMARY KEY,
  birthday date NOT NULL
);

DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA base TO %I', current_setting('birthday.app_role'));
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON base.users TO %I', current_setting('birthday.app_role'));
END $$;
