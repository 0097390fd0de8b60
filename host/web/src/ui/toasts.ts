import { notifications } from '@mantine/notifications';
import { asApiError } from '~/api/errors';
import { i18next } from '~/i18n';
import { adviceOf } from './advice';

export function toast(message: string) {
  notifications.show({ message, color: 'teal' });
}

/** For what went wrong outside of a form. */
export function toastError(error: unknown) {
  const problem = asApiError(error);
  const { title, advice } = adviceOf(problem, i18next.t);
  const reasons = problem.problem?.errors?.map(({ message }) => message) ?? [];
  const text = [problem.problem?.detail, ...reasons].filter(Boolean).join(' · ') || advice;
  const id = problem.correlationId ? ` (${problem.correlationId})` : '';
  notifications.show({ title, message: text + id, color: 'red', autoClose: 10_000 });
}
