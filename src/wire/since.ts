// What is newer than version 1 of the protocol is marked where it is described. In an older version a marked field is
// not sent and reads as the value it had before there was such a field; a marked message does not exist.

import { z } from 'zod';

const marks = z.registry<{ readonly version: number; readonly before: unknown }>();

/** A field or message of version `version` and later; `before` is what its absence means. Must be the outermost call. */
export function since<Schema extends z.ZodType>(version: number, schema: Schema, before?: z.output<Schema>): Schema {
  marks.add(schema, { version, before });
  return schema;
}

/** What stands for this field in a version that does not have it; undefined in one that has. */
export function missingIn(version: number, field: z.core.$ZodType): { readonly before: unknown } | undefined {
  const mark = marks.get(field);
  return mark !== undefined && mark.version > version ? mark : undefined;
}

/** The schema of what a process of this version is told: our values, without newer fields. */
export function tellingIn(version: number, schema: z.core.$ZodType): z.core.$ZodType {
  return inVersion(version, schema, (shape) => z.object(shape));
}

/** The schema of what such a process says: exactly its own fields, and what they mean to us. */
export function hearingIn(version: number, schema: z.core.$ZodType): z.core.$ZodType {
  return inVersion(version, schema, (shape, before) =>
    Object.keys(before).length === 0
      ? z.strictObject(shape)
      : z.strictObject(shape).transform((value) => ({ ...value, ...before })),
  );
}

/** Whether an older version says this just as we do: nothing in it is newer. */
export function isSameIn(version: number, schema: z.core.$ZodType): boolean {
  if (missingIn(version, schema) !== undefined) return false;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return isSameIn(version, schema.unwrap());
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.every((option) => isSameIn(version, option));
  if (!(schema instanceof z.ZodObject)) return true;
  return Object.values<z.core.$ZodType>(schema.shape).every((field) => isSameIn(version, field));
}

/** The same, but what a newer version put there besides is passed over. */
export function tolerant<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return inVersion(Number.POSITIVE_INFINITY, schema, (shape) => z.object(shape)) as z.ZodType<T>;
}

type Make = (shape: Record<string, z.core.$ZodType>, before: Record<string, unknown>) => z.core.$ZodType;

function inVersion(version: number, schema: z.core.$ZodType, make: Make): z.core.$ZodType {
  if (schema instanceof z.ZodOptional) return z.optional(inVersion(version, schema.unwrap(), make));
  if (schema instanceof z.ZodNullable) return z.nullable(inVersion(version, schema.unwrap(), make));
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const options = schema.options.filter((option) => missingIn(version, option) === undefined);
    const [first, ...others] = options.map((option) => inVersion(version, option, make));
    type Option = z.core.$ZodTypeDiscriminable;
    return z.discriminatedUnion(schema.def.discriminator, [first as Option, ...(others as Option[])]);
  }
  if (!(schema instanceof z.ZodObject)) return schema;
  const shape: Record<string, z.core.$ZodType> = {};
  const before: Record<string, unknown> = {};
  for (const [key, field] of Object.entries<z.core.$ZodType>(schema.shape)) {
    const missing = missingIn(version, field);
    if (missing === undefined) shape[key] = inVersion(version, field, make);
    else before[key] = missing.before;
  }
  return make(shape, before);
}
