import { Badge } from '@mantine/core';
import { useWords } from '~/i18n/hooks';
import { originOf } from './schema';

/** Whose a part of the schema is. */
export function OriginBadge({ origin }: { origin: unknown }) {
  const { t } = useWords();
  const { kind, pack = '' } = originOf(origin);
  return (
    <Badge variant={kind === 'standard' ? 'default' : 'light'} c="var(--mantine-color-text)" size="sm" tt="none">
      {kind === 'pack' ? t('admin.origin.pack', { pack }) : t(`admin.origin.${kind}`)}
    </Badge>
  );
}
