import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api, type Label, type ObjectDefinition, type Schemas } from '~/api/client';
import { type Filter, segmentationsQuery } from '~/api/queries';
import { apiNameOf } from '~/fields/apiName';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { filledLabel, LabelInputs, NO_LABEL } from '~/ui/LabelInputs';
import { toast } from '~/ui/toasts';

interface Props {
  readonly object: ObjectDefinition;
  readonly filter: Filter | undefined;
  /** The one whose conditions are changed. */
  readonly segmentation: Schemas['Segmentation'] | undefined;
}

/** Keeps conditions as a segment: its members follow the data from then on. */
export function KeepSegment({ object, filter, segmentation }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const [naming, dialog] = useDisclosure(false);
  const [label, setLabel] = useState<Label>(segmentation?.label ?? NO_LABEL);
  const [description, setDescription] = useState<Label>(segmentation?.description ?? NO_LABEL);
  const keep = useMutation({
    mutationFn: () => {
      const body = {
        object: object.name,
        label: filledLabel(label),
        description: filledLabel(description),
        filter: filter ?? {},
      };
      return answer(
        segmentation
          ? api.PUT('/api/v1/segmentations/{segmentation}', { params: { path: { segmentation: segmentation.name } }, body })
          : api.POST('/api/v1/segmentations', { body: { ...body, name: apiNameOf(label) } }),
      );
    },
    onSuccess: async () => {
      dialog.close();
      toast(t('segments.kept'));
      await queryClient.invalidateQueries({ queryKey: segmentationsQuery.queryKey });
      void navigate({ to: '/segments' });
    },
  });
  return (
    <>
      <Button disabled={!filter} onClick={dialog.open}>
        {segmentation ? t('segments.change') : t('segments.keep')}
      </Button>
      <Modal
        opened={naming}
        onClose={dialog.close}
        title={segmentation ? t('segments.change') : t('segments.keep')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            keep.mutate();
          }}
        >
          <Stack>
            <Text fz="sm" c="dimmed">
              {segmentation ? t('segments.changeWhat') : t('segments.keepWhat')}
            </Text>
            <LabelInputs title={t('builder.name')} value={label} onChange={setLabel} required autoFocus />
            <LabelInputs title={t('segments.description')} value={description} onChange={setDescription} />
            {keep.isError && <ErrorBox error={keep.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={dialog.close}>
                {t('cancel')}
              </Button>
              <Button type="submit" loading={keep.isPending} disabled={filledLabel(label).en === ''}>
                {t('save')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
