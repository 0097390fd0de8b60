// Columns of a table: how wide, by which one it can be sorted.
import type { Field } from '~/api/client';

const WIDTHS_KEY = 'trellis.widths.';

/** Which way a list is sorted by a field. */
export function sortOf(sort: string | undefined, field: string): 'up' | 'down' | undefined {
  const first = sort?.split(',')[0];
  return first === field ? 'up' : first === `-${field}` ? 'down' : undefined;
}

export function isSortable(field: Field): boolean {
  return !['multi_choice', 'list', 'json'].includes(field.type);
}

export function isNumber(field: Field): boolean {
  return ['number', 'integer', 'money'].includes(field.type);
}

/** How wide a column is before somebody draws it wider. */
export function widthOf(field: Field): number {
  switch (field.type) {
    case 'bool':
      return 90;
    case 'number':
    case 'integer':
    case 'date':
      return 120;
    case 'money':
    case 'choice':
      return 140;
    case 'text':
      return 180;
    default:
      return 160;
  }
}

/** The widths that somebody drew. */
export function keptWidths(name: string): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(WIDTHS_KEY + name) ?? '{}');
  } catch {
    return {};
  }
}

export function keepWidths(name: string, widths: Record<string, number>) {
  localStorage.setItem(WIDTHS_KEY + name, JSON.stringify(widths));
}
