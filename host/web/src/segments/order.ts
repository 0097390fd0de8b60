import type { Schemas } from '~/api/client';

/** Those with names of their own first, those whose values are digits last: parts of a cell say little alone. */
export function byWeight(a: Schemas['Segmentation'], b: Schemas['Segmentation']): number {
  return weight(b) - weight(a);
}

function weight({ aliases, values }: Schemas['Segmentation']): number {
  const digits = values.every((one) => /^\d+$/.test(one.value));
  return (aliases?.length ? 2 : 0) + (digits ? 0 : 1);
}
