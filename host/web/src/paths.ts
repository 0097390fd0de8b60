// Where screens are.
import { type ObjectDefinition, segmentOf } from './api/client';

export const BASE = '/app';

export const listOf = (object: ObjectDefinition) => `/objects/${segmentOf(object)}`;
export const recordOf = (object: ObjectDefinition, id: string) => `${listOf(object)}/${id}`;
