import type { ObjectDefinition } from '~/api/client';
import type { Objects } from '~/api/objects';
import { OBJECTS, PARTS, WORKSPACES, type Workspace } from './workspaces';

const KEY = 'trellis.workspace';
const NAMED = new Set(Object.values(OBJECTS).flat());

export function keptWorkspace(): Workspace {
  return WORKSPACES.find((name) => name === localStorage.getItem(KEY)) ?? 'sales';
}

export function keepWorkspace(workspace: Workspace) {
  localStorage.setItem(KEY, workspace);
}

/** What the navigation shows: the objects of a workspace in its order, then those that no workspace names. */
export function objectsOf(workspace: Workspace, objects: Objects): { named: ObjectDefinition[]; more: ObjectDefinition[] } {
  const inUse = (object: ObjectDefinition | undefined): object is ObjectDefinition => !!object && !object.retired;
  return {
    named: OBJECTS[workspace].map((name) => objects.byName(name)).filter(inUse),
    more: objects.all.filter((object) => inUse(object) && !NAMED.has(object.name) && !PARTS.has(object.name)),
  };
}
