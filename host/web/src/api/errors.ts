import type { components } from './generated';

export type Problem = components['schemas']['Problem'];

/** A request that the server refused, or that never reached it. */
export class ApiError extends Error {
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly problem: Problem | undefined;

  constructor(status: number, code: string, message: string, problem?: Problem) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.problem = problem;
  }

  get correlationId(): string | undefined {
    return this.problem?.correlation_id;
  }

  /** Whether asking again may help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The error of an answer: its problem, or its bare status where something between us and the server spoke. */
export function errorOf(response: Response, body: unknown): ApiError {
  if (isProblem(body)) {
    return new ApiError(response.status, body.code, body.detail ?? body.title, body);
  }
  return new ApiError(response.status, 'NOT_A_PROBLEM', `${response.status} ${response.statusText}`.trim());
}

/** The error of a request without an answer. */
export function errorOfFetch(cause: unknown): ApiError {
  const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
  return new ApiError(0, timedOut ? 'NO_ANSWER_IN_TIME' : 'UNREACHABLE', String(cause));
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError(0, 'UNEXPECTED', error instanceof Error ? error.message : String(error));
}

/** What is wrong with each field, by its name. */
export function fieldErrors(error: unknown): Record<string, string> {
  const errors = error instanceof ApiError ? (error.problem?.errors ?? []) : [];
  const byField: Record<string, string> = {};
  for (const { field, message } of errors) {
    byField[field] = byField[field] ? `${byField[field]}; ${message}` : message;
  }
  return byField;
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'title' in body && 'status' in body;
}
