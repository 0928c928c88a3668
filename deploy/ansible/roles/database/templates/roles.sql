{% set name = siteward_cluster.database.name %}
{% set user = site_env.site1.dbuser %}
{% for role, rights, secret in [
     (user, 'LOGIN', 'dbuser'), (user ~ '_owner', 'LOGIN', 'owner'), ('siteward_probe', 'LOGIN', 'probe'),
     ('siteward_replication', 'LOGIN REPLICATION', 'replication')] %}
SELECT 'made', pg_catalog.set_config('x.made', '{{ role }}', false) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{ role }}');
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{ role }}') THEN
    CREATE ROLE "{{ role }}" {{ rights }} PASSWORD '{{ secrets_values[secret] }}';
  END IF;
END $$;
{% if secret in secrets_new and role in database_role_names.stdout_lines %}
ALTER ROLE "{{ role }}" {{ rights }} PASSWORD '{{ secrets_values[secret] }}';
SELECT 'made';
{% endif %}
{% endfor %}
SELECT 'CREATE DATABASE "{{ name }}" OWNER "{{ user }}_owner"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{{ name }}') \gexec
SELECT 'GRANT CREATE ON DATABASE "{{ name }}" TO "{{ user }}_owner"' WHERE NOT has_database_privilege('{{ user }}_owner', '{{ name }}', 'CREATE') \gexec
{% if not who_founded | bool %}
{% for site in ['site1', 'site2'] if site != who_primary %}
SELECT 'made', pg_create_physical_replication_slot('siteward_{{ site }}', true)
  WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'siteward_{{ site }}');
{% endfor %}
{% endif %}
