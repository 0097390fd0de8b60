import type { AnyRecord } from '~/api/client';

interface RowAct {
  readonly index: number;
  readonly record: AnyRecord;
  readonly go: (index: number) => void;
  readonly toggle: (record: AnyRecord) => void;
  readonly onOpen: (record: AnyRecord) => void;
  readonly onPeek: (record: AnyRecord) => void;
}

/** What keys do on a row; the same as in `conventions.md`. */
export const ROW_KEYS: Readonly<Record<string, (act: RowAct) => void>> = {
  ArrowDown: ({ go, index }) => go(index + 1),
  j: ({ go, index }) => go(index + 1),
  ArrowUp: ({ go, index }) => go(index - 1),
  k: ({ go, index }) => go(index - 1),
  Home: ({ go }) => go(0),
  PageDown: ({ go, index }) => go(index + 15),
  PageUp: ({ go, index }) => go(index - 15),
  x: ({ toggle, record }) => toggle(record),
  ' ': ({ toggle, record }) => toggle(record),
  Enter: ({ onOpen, record }) => onOpen(record),
  o: ({ onPeek, record }) => onPeek(record),
};
