// The records that were looked at last, in this browser.

export interface Recent {
  readonly object: string;
  readonly id: string;
  readonly title: string;
}

const KEY = 'trellis.recent';
const KEPT_MAX = 12;

export function recent(): Recent[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isRecent) : [];
  } catch {
    return [];
  }
}

export function remember(seen: Recent) {
  const others = recent().filter((other) => other.id !== seen.id);
  localStorage.setItem(KEY, JSON.stringify([seen, ...others].slice(0, KEPT_MAX)));
}

export function forgetRecent() {
  localStorage.removeItem(KEY);
}

function isRecent(value: unknown): value is Recent {
  return typeof value === 'object' && value !== null && 'object' in value && 'id' in value && 'title' in value;
}
