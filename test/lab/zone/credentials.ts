// The AWS shared credentials format, as the lab writes it.

/** Access key to secret key, of all profiles of the text. */
export function parseCredentials(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  let id: string | undefined;
  for (const line of text.split('\n')) {
    const [name, value] = line.split('=').map((part) => part.trim());
    if (name === 'aws_access_key_id') id = value;
    if (name === 'aws_secret_access_key' && id !== undefined && value !== undefined) keys.set(id, value);
  }
  return keys;
}
