import { Box, Modal, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { keepRecord } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { optionOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { daysSince } from '~/objects/age';
import { pipelineOf } from '~/objects/layout';
import { StageGate } from '~/objects/StageGate';
import classes from './StagePath.module.css';

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly currency: string;
}

/** The stages of the record's pipeline; a press moves it there, or says what is missing. */
export function StagePath({ object, record, currency }: Props) {
  const { t, label } = useWords();
  const [refused, setRefused] = useState<{ value: string; error: unknown }>();
  const pipeline = pipelineOf(object, record);
  const field = pipeline && fieldOf(object, pipeline.stage);
  const move = useMutation({
    mutationFn: (value: string) =>
      answer(
        api.PATCH('/api/v1/{objects}/{id}', {
          params: { path: { objects: segmentOf(object), id: record.id } },
          body: { [field?.name ?? '']: value },
        }),
      ),
    onSuccess: (saved) => void keepRecord(object.name, saved),
    onError: (error, value) => setRefused({ value, error }),
  });
  if (!pipeline || !field) {
    return null;
  }
  const current = pipeline.stages.findIndex((stage) => stage.value === record[field.name]);
  const days = pipeline.entered_at ? daysSince(record[pipeline.entered_at]) : undefined;
  const labelOf = (value: string) => optionOf(field, value)?.label ?? { en: value, 'zh-CN': value };
  return (
    <Box component="nav" aria-label={t('stage.path')}>
      <ol className={classes.path}>
        {pipeline.stages.map((stage, index) => {
          const state = index === current ? 'current' : index < current ? 'passed' : 'ahead';
          const goal = stage.goal ? label(stage.goal) : '';
          return (
            <li key={stage.value} className={classes.stage} data-state={state} data-outcome={stage.outcome}>
              <Tooltip label={goal} disabled={!goal} multiline maw={280}>
                <UnstyledButton
                  className={classes.button}
                  aria-current={state === 'current' ? 'step' : undefined}
                  disabled={state === 'current' || move.isPending || !field.writable}
                  onClick={() => move.mutate(stage.value)}
                >
                  {label(labelOf(stage.value))}
                  {state === 'current' && days !== undefined && (
                    <Text span fz="xs" ml={6}>
                      {t('kanban.days', { count: days, days })}
                    </Text>
                  )}
                </UnstyledButton>
              </Tooltip>
            </li>
          );
        })}
      </ol>
      <Modal
        opened={refused !== undefined}
        onClose={() => setRefused(undefined)}
        size="lg"
        title={t('kanban.refused')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {refused && (
          <StageGate
            {...{ object, record, field, currency }}
            error={refused.error}
            stage={{ value: refused.value, label: labelOf(refused.value) }}
            onDone={() => setRefused(undefined)}
          />
        )}
      </Modal>
    </Box>
  );
}
