import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { asApiError } from '~/api/errors';
import { i18next } from '~/i18n';
import { adviceOf } from './advice';

const closing = () => ({ closeButtonProps: { 'aria-label': i18next.t('close') } });

export function toast(message: ReactNode, shownMs?: number): string {
  return notifications.show({ message, color: 'teal', ...(shownMs && { autoClose: shownMs }), ...closing() });
}

export function hideToast(id: string) {
  notifications.hide(id);
}

/** For what went wrong outside of a form. */
export function toastError(error: unknown) {
  const problem = asApiError(error);
  const { title, advice } = adviceOf(problem, i18next.t);
  const reasons = problem.problem?.errors?.map(({ message }) => message) ?? [];
  const text = [problem.problem?.detail, ...reasons].filter(Boolean).join(' · ') || advice;
  const id = problem.correlationId ? ` (${problem.correlationId})` : '';
  notifications.show({ title, message: text + id, color: 'red', autoClose: 10_000, ...closing() });
}
