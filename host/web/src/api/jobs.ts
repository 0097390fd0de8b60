import { answer, api, type Schemas } from './client';
import { ApiError } from './errors';
import { isOver } from './queries';

type Job = Schemas['Job'];

const LOOK_MS = 300;

/** Waits for the end of a job. One that did not succeed is an error. */
export async function finished(started: Job): Promise<Job> {
  let job = started;
  while (!isOver(job)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    job = await answer(api.GET('/api/v1/jobs/{id}', { params: { path: { id: job.id } } }));
  }
  if (job.state !== 'succeeded') {
    throw new ApiError(0, job.error?.code ?? 'JOB_NOT_DONE', job.error?.message ?? job.state);
  }
  return job;
}

/** A member of a job's result, which is of another form for each kind of job. */
export function resultOf(job: Job, name: string): unknown {
  const result: unknown = job.result;
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>)[name] : undefined;
}
