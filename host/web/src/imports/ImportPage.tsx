import { Group, Loader, Stack, Stepper, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { CheckStep } from './CheckStep';
import { ChooseStep } from './ChooseStep';
import { importQuery } from './imports';
import { MapStep } from './MapStep';
import { OptionsStep } from './OptionsStep';
import { ResultStep } from './ResultStep';

const route = getRouteApi('/import');

export const STEPS = ['choose', 'map', 'check', 'options', 'result'] as const;
export type Step = (typeof STEPS)[number];

/** From a table to records, in five screens. The import lies on the server: who comes back goes on where it was left. */
export function ImportPage() {
  const { t } = useWords();
  const { id, step = 'choose', object } = route.useSearch();
  const navigate = route.useNavigate();
  const go = (next: Step, of = id) => void navigate({ search: { step: next, ...(of && { id: of }) } });
  useEffect(() => {
    document.title = `${t('import.title')} · Trellis`;
  }, [t]);
  return (
    <Stack p="md" maw={1100}>
      <Title order={1} fz="h3">
        {t('import.title')}
      </Title>
      <Stepper
        active={STEPS.indexOf(step)}
        size="xs"
        allowNextStepsSelect={false}
        onStepClick={(index) => step !== 'result' && go(STEPS[index] ?? 'choose')}
      >
        {STEPS.map((name) => (
          <Stepper.Step key={name} label={t(`import.step.${name}`)} />
        ))}
      </Stepper>
      {id && step !== 'choose' ? (
        <Prepared id={id} step={step} go={go} />
      ) : (
        <ChooseStep object={object} onPrepared={(made) => go('map', made)} />
      )}
    </Stack>
  );
}

function Prepared({ id, step, go }: { id: string; step: Step; go: (next: Step, of?: string) => void }) {
  const { t } = useWords();
  const objects = useObjects();
  const asked = useQuery(importQuery(id));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  const object = objects.byName(asked.data?.object ?? undefined);
  if (!asked.data || !object) {
    return (
      <Group>
        <Loader size="sm" aria-label={t('loading')} />
      </Group>
    );
  }
  const parts = { prepared: asked.data, object };
  switch (asked.data.state === 'started' ? 'result' : step) {
    case 'map':
      return <MapStep {...parts} onDone={() => go('check')} />;
    case 'check':
      return <CheckStep {...parts} onDone={() => go('options')} />;
    case 'options':
      return <OptionsStep {...parts} onDone={() => go('result')} />;
    case 'result':
    case 'choose':
      return <ResultStep {...parts} />;
  }
}
