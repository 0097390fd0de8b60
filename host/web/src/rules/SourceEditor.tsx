import { autocompletion, type CompletionContext } from '@codemirror/autocomplete';
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint';
import { useMantineColorScheme } from '@mantine/core';
import CodeMirror, { EditorView } from '@uiw/react-codemirror';
import { useMemo } from 'react';
import { answer, api, type ObjectDefinition } from '~/api/client';
import { rhai } from './rhai';
import { completions, type Trigger } from './rules';

const CHECK_MS = 400;

interface Props {
  readonly label: string;
  readonly source: string;
  readonly onChange: (source: string) => void;
  readonly object: ObjectDefinition | undefined;
  readonly trigger: Trigger;
}

/** A script: coloured, completed from the fields of its object, and checked by the server while it is typed. */
export function SourceEditor({ label, source, onChange, object, trigger }: Props) {
  const { colorScheme } = useMantineColorScheme();
  const dark = colorScheme === 'dark' || (colorScheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  const name = object?.name;
  const extensions = useMemo(() => {
    const known = completions(object);
    const complete = (context: CompletionContext) => {
      const word = context.matchBefore(/[\w.]+/);
      return word || context.explicit ? { from: word?.from ?? context.pos, options: known, validFor: /^[\w.]*$/ } : null;
    };
    const check = async (view: EditorView): Promise<Diagnostic[]> => {
      const text = view.state.doc.toString();
      if (!name || text.trim() === '') {
        return [];
      }
      const { problem } = await answer(api.POST('/api/v1/rules/check', { body: { object: name, source: text, trigger } }));
      const found = problem as { line?: number; column?: number; message?: string } | null | undefined;
      return found ? [placed(view, found.line, found.column, found.message ?? '')] : [];
    };
    return [
      rhai,
      autocompletion({ override: [complete] }),
      lintGutter(),
      linter((view) => check(view).catch(() => []), { delay: CHECK_MS }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': label }),
    ];
  }, [object, name, trigger, label]);
  return (
    <CodeMirror
      value={source}
      onChange={onChange}
      extensions={extensions}
      theme={dark ? 'dark' : 'light'}
      minHeight="220px"
      maxHeight="60vh"
    />
  );
}

/** Where the server says that it is wrong; lines that are not there mean the end. */
function placed(view: EditorView, line: number | undefined, column: number | undefined, message: string): Diagnostic {
  const { doc } = view.state;
  const at = doc.line(Math.min(Math.max(line ?? doc.lines, 1), doc.lines));
  const from = Math.min(at.from + Math.max((column ?? 1) - 1, 0), at.to);
  return { from, to: Math.max(from, Math.min(from + 1, at.to)), severity: 'error', message };
}
