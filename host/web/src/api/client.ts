import createClient, { type Middleware } from 'openapi-fetch';
import { currentLanguage } from '~/i18n';
import { currentToken, expire } from '~/session';
import { ApiError, errorOf, errorOfFetch } from './errors';
import type { components, paths } from './generated';

/** Longer than any limit of the server on a short request. */
const REQUEST_MS_MAX = 40_000;

export type Schemas = components['schemas'];
export type AnyRecord = Schemas['AnyRecord'];
export type ObjectDefinition = Schemas['Object'];
export type Field = Schemas['Field'];
export type Label = Schemas['Label'];
export type Money = Schemas['Money'];

const credentials: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', currentLanguage());
    const token = currentToken();
    if (token && !request.headers.has('Authorization')) {
      request.headers.set('Authorization', `Bearer ${token}`);
    }
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401) {
      expire(request.headers.get('Authorization')?.slice('Bearer '.length));
    }
  },
};

export const api = createClient<paths>({ fetch: fetchInTime });
api.use(credentials);

async function fetchInTime(request: Request): Promise<Response> {
  try {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
    return await fetch(new Request(request, { signal }));
  } catch (cause) {
    if (request.signal.aborted) {
      throw cause;
    }
    throw errorOfFetch(cause);
  }
}

/** The data of an answer, or its problem as an error. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) {
    throw errorOf(response, error);
  }
  // Without a body `T` is undefined.
  return data as T;
}

/** The last part of an object's address: `/api/v1/order-lines` is `order-lines`. */
export function segmentOf(object: ObjectDefinition): string {
  return object.url.slice(object.url.lastIndexOf('/') + 1);
}

/** Fetches a file of the API, which needs the token that a link cannot carry, and hands it to the browser. */
export async function download(path: string, name: string) {
  const response = await fetchInTime(
    new Request(new URL(path, location.origin), { headers: { Authorization: `Bearer ${currentToken() ?? ''}` } }),
  );
  if (!response.ok) {
    throw errorOf(response, await response.json().catch(() => undefined));
  }
  const url = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

export { ApiError };
