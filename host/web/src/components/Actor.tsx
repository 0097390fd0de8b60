import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { RecordLink } from './RecordLink';

/** Who did something: a user, a plugin, a rule, or a part of the server. */
export function Actor({ actor }: { actor: unknown }) {
  const { t } = useWords();
  const objects = useObjects();
  const {
    kind,
    id,
    version,
    component = kind ?? '',
  } = (actor ?? {}) as {
    kind?: string;
    id?: string;
    version?: string | number;
    component?: string;
  };
  const object = objects.byName(kind === 'user' || kind === 'rule' ? kind : undefined);
  if (object && id) {
    return <RecordLink object={object} id={id} inText />;
  }
  return (
    <>{kind === 'plugin' ? t('actor.plugin', { plugin: id ?? '', version: version ?? '' }) : t('actor.system', { component })}</>
  );
}
