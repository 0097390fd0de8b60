import { Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ApiError } from '~/api/errors';
import { useWords } from '~/i18n/hooks';
import { ReportView } from '~/reports/ReportView';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { reportQuery, runsQuery } from './plugins';

/** What a plugin shows of what it learned, once it has run. */
export function ReportTab({ id }: { id: string }) {
  const { t } = useWords();
  const runs = useQuery(runsQuery(id));
  const ran = (runs.data?.length ?? 0) > 0;
  const asked = useQuery({ ...reportQuery(id), enabled: ran });
  const error = runs.error ?? asked.error;
  const none = error instanceof ApiError && [404, 409, 422].includes(error.status);
  if (none || (runs.data && !ran)) {
    return <Empty title={t('report.nothing')} />;
  }
  if (error) {
    return <ErrorBox error={error} onRetry={() => void Promise.all([runs.refetch(), asked.refetch()])} />;
  }
  return asked.data ? <ReportView report={asked.data} plugin={id} /> : <Loader aria-label={t('loading')} />;
}
