import { Button, Group } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import type { Filter } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { KeepSegment } from './KeepSegment';
import { KeepView } from './KeepView';

interface Props {
  readonly object: ObjectDefinition;
  readonly filter: Filter | undefined;
  /** The segment whose conditions are changed. */
  readonly segmentation: Schemas['Segmentation'] | undefined;
}

/** What one does with them: look at them, keep the conditions, make a campaign for whoever meets them. */
export function BuilderActions({ object, filter, segmentation }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const campaigns = useObjects().byName('campaign');
  const campaign = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/{objects}', {
          params: { path: { objects: 'campaigns' } },
          body: { name: t('builder.campaignName'), status: 'planned', audience: filter ?? null },
        }),
      ),
    onSuccess: async (made) => {
      await forgetRecords('campaign');
      if (campaigns) {
        void navigate({ to: '/objects/$objects/$id', params: { objects: segmentOf(campaigns), id: made.id } });
      }
    },
  });
  return (
    <>
      <Group gap="xs" mt="xs">
        <Button
          variant="default"
          renderRoot={(props) => (
            <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} search={filter ? { filter } : {}} {...props} />
          )}
        >
          {t('builder.list')}
        </Button>
        <KeepSegment object={object} filter={filter} segmentation={segmentation} />
        <KeepView object={object} filter={filter} />
        {campaigns && (
          <Button variant="default" disabled={!filter} loading={campaign.isPending} onClick={() => campaign.mutate()}>
            {t('builder.campaign')}
          </Button>
        )}
      </Group>
      {campaign.isError && <ErrorBox error={campaign.error} />}
    </>
  );
}
