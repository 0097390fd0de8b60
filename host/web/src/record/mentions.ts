// Users who are mentioned in a note: `@[Name](user:id)` as it is kept, `@Name` as it is written and read.

/** A piece of a text: words, or a user. */
export interface Part {
  readonly text: string;
  readonly user?: string;
}

const MENTION = /@\[([^\]]*)\]\(user:([0-9a-f-]{36})\)/g;

export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(MENTION)) {
    const [whole, name = '', user] = found;
    if (found.index > end) {
      parts.push({ text: text.slice(end, found.index) });
    }
    parts.push({ text: `@${name}`, ...(user && { user }) });
    end = found.index + whole.length;
  }
  return end < text.length ? [...parts, { text: text.slice(end) }] : parts;
}

/** The text as it is kept: the users that were chosen stand with their ids. */
export function marked(text: string, users: ReadonlyMap<string, string>): string {
  // A name may begin with another one.
  const names = [...users.keys()].sort((a, b) => b.length - a.length);
  if (names.length === 0) {
    return text;
  }
  const any = new RegExp(`@(${names.map(escaped).join('|')})`, 'g');
  return text.replace(any, (_, name: string) => `@[${name.replaceAll(']', '')}](user:${users.get(name)})`);
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const NAME_MAX = 30;

/** The name that is being written before the caret; nothing where no mention begins, or the one that begins is done. */
export function begun(text: string, caret: number, users: ReadonlyMap<string, string>): string | undefined {
  const at = text.lastIndexOf('@', caret - 1);
  const words = at < 0 ? undefined : text.slice(at + 1, caret);
  const done = [...users.keys()].some((name) => words?.startsWith(name));
  return words === undefined || done || words.length > NAME_MAX || words.includes('\n') ? undefined : words;
}
