// The list from which a record was opened, so that the next one is a key away.
const lists = new Map<string, readonly string[]>();

/** Keeps the order in which a list shows records of an object. */
export function keepOrder(object: string, ids: readonly string[]) {
  lists.set(object, ids);
}

export interface Neighbours {
  readonly previous: string | undefined;
  readonly next: string | undefined;
}

/** What stands before and after a record in the list that was seen last. */
export function neighboursOf(object: string, id: string): Neighbours {
  const ids = lists.get(object) ?? [];
  const place = ids.indexOf(id);
  return place < 0 ? { previous: undefined, next: undefined } : { previous: ids[place - 1], next: ids[place + 1] };
}
