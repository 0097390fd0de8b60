import type { TFunction } from 'i18next';
import type { ApiError } from '~/api/errors';

/** What an error is called, and what a person can do about it. */
export function adviceOf(error: ApiError, t: TFunction): { title: string; advice: string } {
  const title = error.problem?.title;
  switch (error.code) {
    case 'UNREACHABLE':
      return { title: t('error.unreachable'), advice: t('error.unreachableAdvice') };
    case 'NO_ANSWER_IN_TIME':
      return { title: t('error.slow'), advice: t('error.slowAdvice') };
    case 'UNAUTHENTICATED':
    case 'INVALID_TOKEN':
      return { title: title ?? t('error.session'), advice: t('error.sessionAdvice') };
    case 'UNEXPECTED':
      return { title: t('error.page'), advice: error.message };
    default:
      break;
  }
  const known = title ?? t('error.unknown', { status: error.status });
  switch (error.status) {
    case 400:
    case 422:
      return { title: known, advice: t('error.inputAdvice') };
    case 403:
      return { title: known, advice: t('error.rightsAdvice') };
    case 404:
    case 410:
      return { title: known, advice: t('error.goneAdvice') };
    case 409:
    case 412:
      return { title: known, advice: t('error.conflictAdvice') };
    case 429:
      return { title: known, advice: t('error.busyAdvice') };
    default:
      return { title: known, advice: t('error.serverAdvice') };
  }
}
