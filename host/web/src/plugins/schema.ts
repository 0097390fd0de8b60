// The part of JSON Schema that settings are written in (`host/docs/formats/plugin-manifest.md`), read into what a form needs.
import type { Label } from '~/api/client';

export interface Setting {
  readonly name: string;
  readonly title: Label;
  readonly description: Label | undefined;
  readonly unit: Label | undefined;
  readonly required: boolean;
  readonly kind: 'integer' | 'number' | 'text' | 'bool' | 'choice' | 'choices' | 'numbers' | 'texts' | 'other';
  readonly options: readonly { readonly value: string; readonly label: Label }[];
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
}

interface Schema {
  readonly type?: unknown;
  readonly title?: unknown;
  readonly description?: unknown;
  readonly properties?: unknown;
  readonly required?: unknown;
  readonly oneOf?: unknown;
  readonly enum?: unknown;
  readonly items?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly 'x-unit'?: unknown;
}

export function settingsOf(schema: unknown): Setting[] {
  const { properties, required } = asSchema(schema);
  const needed = new Set(Array.isArray(required) ? required.map(String) : []);
  return Object.entries(asSchema(properties)).map(([name, raw]) => settingOf(name, asSchema(raw), needed.has(name)));
}

function settingOf(name: string, schema: Schema, required: boolean): Setting {
  const items = asSchema(schema.items);
  const options = optionsOf(schema);
  const ofItems = optionsOf(items);
  return {
    name,
    title: labelOf(schema.title) ?? { en: name, 'zh-CN': name },
    description: labelOf(schema.description),
    unit: labelOf(schema['x-unit']),
    required,
    kind: kindOf(schema, items, options.length > 0, ofItems.length > 0),
    options: options.length > 0 ? options : ofItems,
    minimum: typeof schema.minimum === 'number' ? schema.minimum : undefined,
    maximum: typeof schema.maximum === 'number' ? schema.maximum : undefined,
  };
}

function kindOf(schema: Schema, items: Schema, options: boolean, ofItems: boolean): Setting['kind'] {
  switch (schema.type) {
    case 'integer':
    case 'number':
      return schema.type;
    case 'boolean':
      return 'bool';
    case 'string':
      return options ? 'choice' : 'text';
    case 'array':
      return ofItems
        ? 'choices'
        : items.type === 'number' || items.type === 'integer'
          ? 'numbers'
          : items.type === 'string'
            ? 'texts'
            : 'other';
    default:
      return 'other';
  }
}

function optionsOf({ oneOf, enum: values }: Schema): Setting['options'] {
  if (Array.isArray(oneOf)) {
    return oneOf.flatMap((one) => {
      const { const: value, title } = one as { const?: unknown; title?: unknown };
      return typeof value === 'string' ? [{ value, label: labelOf(title) ?? { en: value, 'zh-CN': value } }] : [];
    });
  }
  return Array.isArray(values)
    ? values.filter((value) => typeof value === 'string').map((value) => ({ value, label: { en: value, 'zh-CN': value } }))
    : [];
}

function labelOf(value: unknown): Label | undefined {
  if (typeof value === 'string') {
    return { en: value, 'zh-CN': value };
  }
  return typeof value === 'object' && value !== null && 'en' in value ? (value as Label) : undefined;
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? value : {};
}
