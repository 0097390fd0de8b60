import { useObjects } from '~/api/objects';
import { RecordLink } from '~/components/RecordLink';
import { partsOf } from './mentions';

/** A text with the users whom it mentions as links. */
export function NoteText({ text }: { text: string }) {
  const user = useObjects().byName('user');
  return partsOf(text).map((part, place) =>
    part.user && user ? (
      <RecordLink key={`${place}${part.user}`} object={user} id={part.user} title={part.text} inText />
    ) : (
      part.text
    ),
  );
}
