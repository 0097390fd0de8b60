// Who is signed in. The token lives in this tab alone, or in this browser where the user asked to stay signed in; when users get passwords and
// sessions, the server's cookie takes its place and this module is where it is known.
import { useSyncExternalStore } from 'react';

const KEY = 'trellis.token';

interface Session {
  readonly token: string | undefined;
  /** The server no longer takes the token: what is on the screen stays until the user signs in again. */
  readonly expired: boolean;
}

const listeners = new Set<() => void>();
let session: Session = { token: stored(), expired: false };

export function currentToken(): string | undefined {
  return session.token;
}

export function signIn(token: string, remember: boolean) {
  (remember ? localStorage : sessionStorage).setItem(KEY, token);
  set({ token, expired: false });
}

export function signOut() {
  localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
  set({ token: undefined, expired: false });
}

/** The server answered that it does not know `token`. An answer to a request of an earlier session says nothing about this one. */
export function expire(token: string | undefined) {
  if (token && token === session.token && !session.expired) {
    set({ ...session, expired: true });
  }
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: Session) {
  session = next;
  for (const listener of listeners) {
    listener();
  }
}

function stored(): string | undefined {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? undefined;
}
