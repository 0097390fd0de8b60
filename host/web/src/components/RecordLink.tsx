import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ObjectDefinition } from '~/api/client';
import { segmentOf } from '~/api/client';
import { ApiError } from '~/api/errors';
import { titleQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';

interface Props {
  readonly object: ObjectDefinition;
  readonly id: string;
  /** What it is called, where that is known; otherwise it is asked. */
  readonly title?: string | undefined;
  /** Among words: told from them by more than its colour. */
  readonly inText?: boolean;
}

/** A record by its name. One that was deleted, or that the user may not see, says so. */
export function RecordLink({ object, id, title, inText = false }: Props) {
  const { t } = useWords();
  const asked = useQuery({ ...titleQuery(object, id), enabled: title === undefined });
  const gone = asked.error instanceof ApiError && asked.error.status === 404;
  if (gone) {
    return <span>{t('record.notThere')}</span>;
  }
  return (
    <Anchor
      renderRoot={(props) => <Link to="/objects/$objects/$id" params={{ objects: segmentOf(object), id }} {...props} />}
      underline={inText ? 'always' : 'hover'}
      inherit
    >
      {(title ?? asked.data) || `${id.slice(0, 8)}…`}
    </Anchor>
  );
}
