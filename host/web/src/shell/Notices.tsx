import { ActionIcon, Anchor, Button, Group, Indicator, Popover, ScrollArea, Stack, Text } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { countQuery, type Filter, meQuery, someQuery } from '~/api/queries';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { toastError } from '~/ui/toasts';

const SHOWN_MAX = 20;
const LOOK_MS = 60_000;

/** What the server wants this user to know. */
export function Notices() {
  const notification = useObjects().byName('notification');
  const me = useQuery(meQuery);
  return notification && me.data ? <Bell object={notification} user={me.data.user} /> : null;
}

function Bell({ object, user }: { object: ObjectDefinition; user: string }) {
  const { t, formats } = useWords();
  const [opened, setOpened] = useState(false);
  const mine: Filter = { field: 'user', op: 'eq', value: user };
  const unreadOnes: Filter = {
    and: [
      mine,
      {
        or: [
          { field: 'read', op: 'eq', value: false },
          { field: 'read', op: 'null', value: true },
        ],
      },
    ],
  };
  const unread = useQuery({ ...countQuery(object, { filter: unreadOnes }), refetchInterval: LOOK_MS });
  const list = useQuery({ ...someQuery(object, { filter: mine, sort: '-created_at' }, SHOWN_MAX), enabled: opened });
  const count = unread.data ?? 0;
  const readAll = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/{objects}/bulk', {
          params: { path: { objects: segmentOf(object) } },
          body: { filter: unreadOnes, set: { read: true } },
        }),
      ),
    // The job is short; the count comes again when it is asked next.
    onSuccess: () => setTimeout(() => void forgetRecords(object.name), 500),
    onError: toastError,
  });
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={360} trapFocus shadow="md">
      <Indicator disabled={count === 0} label={formats.compact(count)} size={16} inline>
        <Popover.Target>
          <ActionIcon variant="default" size="lg" aria-label={t('notices.title', { count })} onClick={() => setOpened(!opened)}>
            <IconBell size={18} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown p="xs">
        <Group justify="space-between" mb="xs">
          <Text component="h2" fz="sm" fw={600}>
            {t('notices.heading')}
          </Text>
          {count > 0 && (
            <Button size="compact-xs" variant="subtle" loading={readAll.isPending} onClick={() => readAll.mutate()}>
              {t('notices.readAll')}
            </Button>
          )}
        </Group>
        <ScrollArea.Autosize mah={380}>
          {list.data?.data.length === 0 && <Empty title={t('notices.nothing')} />}
          <Stack gap={8}>
            {list.data?.data.map((notice) => (
              <Notice key={notice.id} notice={notice} onOpen={() => setOpened(false)} />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}

function Notice({ notice, onOpen }: { notice: AnyRecord; onOpen: () => void }) {
  const { formats } = useWords();
  const parent = useObjects().byName(asText(notice.parent_object));
  const subject = (
    <Text fz="sm" fw={notice.read === true ? 400 : 600}>
      {asText(notice.subject)}
    </Text>
  );
  return (
    <div>
      {parent && notice.parent_id ? (
        <Anchor
          inherit
          onClick={onOpen}
          renderRoot={(props) => (
            <Link to="/objects/$objects/$id" params={{ objects: segmentOf(parent), id: asText(notice.parent_id) }} {...props} />
          )}
        >
          {subject}
        </Anchor>
      ) : (
        subject
      )}
      {notice.created_at && (
        <Text fz="xs" c="dimmed">
          {formats.ago(notice.created_at)}
        </Text>
      )}
    </div>
  );
}
