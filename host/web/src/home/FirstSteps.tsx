import { Card, SimpleGrid, Text, ThemeIcon } from '@mantine/core';
import { type Icon, IconCheck, IconPuzzle, IconScript, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ObjectDefinition } from '~/api/client';
import { useObjects } from '~/api/objects';
import { countQuery, segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';

/** Where to begin, as long as something of it is left to do. */
export function FirstSteps() {
  const objects = useObjects();
  const [account, order, rule] = [objects.byName('account'), objects.byName('order'), objects.byName('rule')];
  return account && order && rule ? <Steps account={account} order={order} rule={rule} /> : null;
}

interface Props {
  readonly account: ObjectDefinition;
  readonly order: ObjectDefinition;
  readonly rule: ObjectDefinition;
}

function Steps({ account, order, rule }: Props) {
  const { t } = useWords();
  const accounts = useQuery(countQuery(account, {}));
  const orders = useQuery(countQuery(order, {}));
  const segmentations = useQuery(segmentationsQuery);
  const rules = useQuery(countQuery(rule, {}));
  if (accounts.data === undefined || orders.data === undefined || !segmentations.data || rules.data === undefined) {
    return null;
  }
  const steps = [
    { name: 'customers', done: accounts.data > 0, Icon: IconUpload, to: '/import', search: { object: 'account' } },
    { name: 'orders', done: orders.data > 0, Icon: IconUpload, to: '/import', search: { object: 'order' } },
    { name: 'pack', done: segmentations.data.length > 0, Icon: IconPuzzle, to: '/plugins', search: {} },
    { name: 'rule', done: rules.data > 0, Icon: IconScript, to: '/rules', search: {} },
  ] as const;
  // Who has customers and segments has found the way.
  if (steps[0].done && steps[2].done) {
    return null;
  }
  return (
    <Card withBorder component="section" aria-labelledby="home-first">
      <Text component="h2" id="home-first" fw={600} mb="xs">
        {t('home.first')}
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
        {steps.map((step) => (
          <Step key={step.name} {...step} />
        ))}
      </SimpleGrid>
    </Card>
  );
}

interface StepProps {
  readonly name: 'customers' | 'orders' | 'pack' | 'rule';
  readonly done: boolean;
  readonly Icon: Icon;
  readonly to: '/import' | '/plugins' | '/rules';
  readonly search: { readonly object?: string };
}

function Step({ name, done, Icon, to, search }: StepProps) {
  const { t } = useWords();
  return (
    <Card withBorder padding="sm" renderRoot={(props) => <Link to={to} search={search} {...props} />}>
      <ThemeIcon variant={done ? 'filled' : 'light'} size="md" radius="xl" aria-hidden>
        {done ? <IconCheck size={16} /> : <Icon size={16} />}
      </ThemeIcon>
      <Text fw={600} mt={6}>
        {t(`home.steps.${name}`)}
        {done && <span className="only-said"> ({t('home.stepDone')})</span>}
      </Text>
      <Text fz="sm" c="dimmed">
        {t(`home.stepsWhat.${name}`)}
      </Text>
    </Card>
  );
}
