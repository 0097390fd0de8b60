import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { Suspense } from 'react';
import { asApiError } from '~/api/errors';
import { objectsQuery, serverQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { signOut, useSession } from '~/session';
import { ErrorBox } from '~/ui/ErrorBox';
import { Shell } from './Shell';
import { SignIn } from './SignIn';
import { SignInAgain } from './SignInAgain';

/** Everything begins with who it is, which objects there are, and by which clock moments are told. */
export function Root() {
  const { token, expired } = useSession();
  return token ? (
    <>
      <Started />
      {expired && <SignInAgain />}
    </>
  ) : (
    <SignIn />
  );
}

function Started() {
  const { t } = useWords();
  const objects = useQuery(objectsQuery);
  const server = useQuery(serverQuery);
  if (objects.data && server.data) {
    return (
      <Shell>
        <Suspense fallback={<Waiting />}>
          <Outlet />
        </Suspense>
      </Shell>
    );
  }
  const error = objects.error ?? server.error;
  if (error) {
    const refused = asApiError(error).status === 401;
    const again = () => Promise.all([objects.refetch(), server.refetch()]);
    return (
      <Center h="100%" p="md">
        <ErrorBox error={error} onRetry={() => void (refused ? signOut() : again())} />
      </Center>
    );
  }
  return <Waiting label={t('loading')} />;
}

function Waiting({ label }: { label?: string }) {
  return (
    <Center h="100%" mih={200}>
      <Loader aria-label={label} />
    </Center>
  );
}
