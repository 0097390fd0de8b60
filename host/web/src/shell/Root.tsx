import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { Suspense } from 'react';
import { asApiError } from '~/api/errors';
import { objectsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { signOut, useSession } from '~/session';
import { ErrorBox } from '~/ui/ErrorBox';
import { Shell } from './Shell';
import { SignIn } from './SignIn';
import { SignInAgain } from './SignInAgain';

/** Everything begins with who it is and which objects there are. */
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
  if (objects.data) {
    return (
      <Shell>
        <Suspense fallback={<Waiting />}>
          <Outlet />
        </Suspense>
      </Shell>
    );
  }
  if (objects.isError) {
    const refused = asApiError(objects.error).status === 401;
    return (
      <Center h="100%" p="md">
        <ErrorBox error={objects.error} onRetry={() => void (refused ? signOut() : objects.refetch())} />
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
