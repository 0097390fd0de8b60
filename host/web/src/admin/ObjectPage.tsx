import { Button, Tabs } from '@mantine/core';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { NotThere } from '~/components/NotThere';
import { useWords } from '~/i18n/hooks';
import { Page } from '~/ui/Page';
import { toast } from '~/ui/toasts';
import { DefinitionTab } from './DefinitionTab';
import { FieldsTab } from './FieldsTab';
import { LayoutTab } from './LayoutTab';
import { PipelineTab } from './PipelineTab';
import { PlanReview } from './PlanReview';
import { originOf, retireObject, useSchemaChange } from './schema';

const route = getRouteApi('/admin/objects/$name');
const OBJECT_TABS = ['fields', 'layouts', 'pipelines', 'definition'] as const;
export type ObjectTab = (typeof OBJECT_TABS)[number];

/** One object: its fields, how its records are shown, the stages they go through. */
export function ObjectPage() {
  const { name } = route.useParams();
  const object = useObjects().byName(name);
  return object ? <Shown key={name} object={object} /> : <NotThere what={name} />;
}

function Shown({ object }: { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const { tab = 'fields' } = route.useSearch();
  const navigate = useNavigate();
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  return (
    <Page
      title={label(object.plural_label)}
      what={object.name}
      actions={
        <>
          {!object.retired && (
            <Button
              variant="default"
              renderRoot={(props) => <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} {...props} />}
            >
              {t('admin.toList')}
            </Button>
          )}
          {originOf(object.origin).kind === 'company' && !object.retired && (
            <Button
              variant="default"
              color="red"
              loading={schema.busy}
              onClick={() => schema.change({ send: retireObject(object.name) })}
            >
              {t('admin.retire')}
            </Button>
          )}
        </>
      }
    >
      <Tabs
        value={tab}
        onChange={(next) => void navigate({ to: '.', search: { tab: next as ObjectTab }, replace: true })}
        keepMounted={false}
      >
        <Tabs.List>
          {OBJECT_TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`admin.tab.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="fields" pt="md">
          <FieldsTab object={object} />
        </Tabs.Panel>
        <Tabs.Panel value="layouts" pt="md">
          <LayoutTab object={object} />
        </Tabs.Panel>
        <Tabs.Panel value="pipelines" pt="md">
          <PipelineTab object={object} />
        </Tabs.Panel>
        <Tabs.Panel value="definition" pt="md">
          <DefinitionTab object={object} />
        </Tabs.Panel>
      </Tabs>
      <PlanReview schema={schema} />
    </Page>
  );
}
