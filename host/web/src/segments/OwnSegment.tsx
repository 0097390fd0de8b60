import { Alert, Button, Group } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { queryClient } from '~/api/cache';
import { answer, api, type Schemas } from '~/api/client';
import { segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { ConfirmButton } from '~/ui/ConfirmButton';
import { toastError } from '~/ui/toasts';

/** What one does with a segment of one's own conditions: change them, or remove it. */
export function OwnSegment({ segmentation }: { segmentation: Schemas['Segmentation'] }) {
  const { t, label } = useWords();
  const name = label(segmentation.label) || segmentation.name;
  const remove = useMutation({
    mutationFn: () =>
      answer(api.DELETE('/api/v1/segmentations/{segmentation}', { params: { path: { segmentation: segmentation.name } } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: segmentationsQuery.queryKey }),
    onError: toastError,
  });
  return (
    <>
      {segmentation.problem && (
        <Alert color="yellow" title={t('segments.problem')}>
          {segmentation.problem}
        </Alert>
      )}
      <Group gap="xs">
        <Button
          size="compact-xs"
          variant="subtle"
          renderRoot={(props) => <Link to="/segments/build" search={{ segmentation: segmentation.name }} {...props} />}
          aria-label={t('segments.conditionsOf', { segment: name })}
        >
          {t('segments.conditions')}
        </Button>
        <ConfirmButton
          size="compact-xs"
          variant="subtle"
          color="red"
          loading={remove.isPending}
          question={t('segments.removeAsked')}
          aria-label={t('segments.removeOf', { segment: name })}
          onConfirm={() => remove.mutate()}
        >
          {t('segments.remove')}
        </ConfirmButton>
      </Group>
    </>
  );
}
