import { Checkbox, Loader, Text, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { type ColumnDef, columnResizingFeature, columnSizingFeature, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { AnyRecord, Field } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { isNumber, isSortable, keepWidths, keptWidths, sortOf, widthOf } from './columns';
import { ROW_KEYS } from './keys';
import classes from './RecordTable.module.css';

const features = tableFeatures({ columnSizingFeature, columnResizingFeature });

const ROW_HEIGHT_PX = 42;
/** So many rows beyond what is seen are there already. */
const OVERSCAN_ROWS = 20;
/** The next page is asked for when so many rows are left below what is seen. */
const AHEAD_ROWS = 120;

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** All that the list matches, loaded or not. */
  readonly all: boolean;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), all: false };

interface Props {
  /** What the widths are kept under. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly Field[];
  readonly rows: readonly AnyRecord[];
  readonly total: number | undefined;
  readonly cell: (record: AnyRecord, field: Field) => ReactNode;
  readonly footer?: ((field: Field) => ReactNode) | undefined;
  readonly sort: string | undefined;
  readonly onSort: (sort: string) => void;
  readonly selection: Selection;
  readonly onSelect: (selection: Selection) => void;
  readonly onOpen: (record: AnyRecord) => void;
  readonly onPeek: (record: AnyRecord) => void;
  readonly onEdit?: ((record: AnyRecord, field: Field) => void) | undefined;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly onMore: () => void;
}

/** Rows of which only those that are seen are drawn, however many there are. */
export function RecordTable(props: Props) {
  const { name, caption, columns, rows, total, cell, footer, sort, onSort, selection, onSelect, onOpen, onPeek, onEdit } = props;
  const { hasMore, loadingMore, onMore } = props;
  const { t, label } = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(0);
  const [columnSizing, setColumnSizing] = useState<Record<string, number>>(() => keptWidths(name));
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: OVERSCAN_ROWS,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !loadingMore && last >= rows.length - AHEAD_ROWS) {
      onMore();
    }
  }, [hasMore, loadingMore, last, rows.length, onMore]);

  const definitions = useMemo(
    () =>
      columns.map(
        (field): ColumnDef<typeof features, AnyRecord> => ({
          id: field.name,
          accessorFn: (record) => record[field.name],
          header: label(field.label),
          size: widthOf(field),
          minSize: 70,
          maxSize: 900,
          meta: field,
        }),
      ),
    [columns, label],
  );
  // The table knows the rows that are seen; a hundred thousand of them would cost at each page that comes.
  const seen = items.flatMap((item) => rows[item.index] ?? []);
  const table = useTable({
    features,
    columns: definitions,
    data: seen,
    getRowId: (record) => record.id,
    state: { columnSizing },
    onColumnSizingChange: (change) =>
      setColumnSizing((old) => {
        const next = typeof change === 'function' ? change(old) : change;
        keepWidths(name, next);
        return next;
      }),
    columnResizeMode: 'onChange',
  });
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const template = `44px ${headers.map((header) => `${header.getSize()}px`).join(' ')} minmax(0, 1fr)`;
  const width = headers.reduce((sum, header) => sum + header.getSize(), 44);

  const toggle = (record: AnyRecord) => {
    const ids = new Set(selection.ids);
    if (!ids.delete(record.id)) {
      ids.add(record.id);
    }
    onSelect({ ids, all: false });
  };
  const go = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setFocused(next);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent, index: number, record: AnyRecord) => {
    if (event.target !== event.currentTarget || event.nativeEvent.isComposing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const act = ROW_KEYS[event.key];
    if (act) {
      act({ index, record, go, toggle, onOpen, onPeek });
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const allOnPage = rows.length > 0 && (selection.all || rows.every((record) => selection.ids.has(record.id)));
  return (
    <div ref={scroller} className={classes.scroller} tabIndex={0} role="region" aria-label={caption}>
      <div role="grid" aria-multiselectable aria-label={caption} aria-rowcount={total ?? -1} style={{ minWidth: width }}>
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row} style={{ gridTemplateColumns: template }}>
            <div role="columnheader" className={classes.cell}>
              <Checkbox
                size="xs"
                aria-label={t('list.selectLoaded')}
                checked={allOnPage}
                indeterminate={!allOnPage && selection.ids.size > 0}
                onChange={() =>
                  onSelect(allOnPage ? NOTHING_SELECTED : { ids: new Set(rows.map((record) => record.id)), all: false })
                }
              />
            </div>
            {headers.map((header) => {
              const field = columns.find((field) => field.name === header.column.id);
              const direction = sortOf(sort, header.column.id);
              const title = String(header.column.columnDef.header);
              return (
                <div
                  key={header.id}
                  role="columnheader"
                  className={classes.cell}
                  aria-sort={direction === 'up' ? 'ascending' : direction === 'down' ? 'descending' : 'none'}
                >
                  {field && isSortable(field) ? (
                    <UnstyledButton
                      className={classes.sorter}
                      onClick={() => onSort(direction === 'up' ? `-${header.column.id}` : header.column.id)}
                    >
                      <span className={classes.headText}>{title}</span>
                      {direction === 'up' && <IconArrowUp size={14} aria-hidden />}
                      {direction === 'down' && <IconArrowDown size={14} aria-hidden />}
                    </UnstyledButton>
                  ) : (
                    <span className={classes.headText}>{title}</span>
                  )}
                  <div
                    aria-hidden
                    className={classes.resizer}
                    onMouseDown={header.getResizeHandler()}
                    onTouchStart={header.getResizeHandler()}
                    onDoubleClick={() => header.column.resetSize()}
                  />
                </div>
              );
            })}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map((item) => {
            const record = rows[item.index];
            if (!record) {
              return null;
            }
            const chosen = selection.all || selection.ids.has(record.id);
            return (
              <div
                key={record.id}
                role="row"
                data-row={item.index}
                aria-rowindex={item.index + 2}
                aria-selected={chosen}
                tabIndex={item.index === focused ? 0 : -1}
                className={classes.row}
                data-chosen={chosen || undefined}
                style={{
                  gridTemplateColumns: template,
                  position: 'absolute',
                  insetInline: 0,
                  transform: `translateY(${item.start}px)`,
                }}
                onFocus={(event) => event.target === event.currentTarget && setFocused(item.index)}
                onKeyDown={(event) => onKey(event, item.index, record)}
              >
                <div role="gridcell" className={classes.cell}>
                  <Checkbox
                    size="xs"
                    tabIndex={-1}
                    aria-label={t('list.select')}
                    checked={chosen}
                    onChange={() => toggle(record)}
                  />
                </div>
                {columns.map((field) => (
                  <div
                    key={field.name}
                    role="gridcell"
                    className={classes.cell}
                    data-number={isNumber(field) || undefined}
                    onDoubleClick={() => onEdit?.(record, field)}
                  >
                    <div className={classes.value}>{cell(record, field)}</div>
                  </div>
                ))}
              </div>
            );
          })}
        </div>
        {footer && rows.length > 0 && (
          <div role="rowgroup" className={classes.foot}>
            <div role="row" className={classes.row} style={{ gridTemplateColumns: template }}>
              <div role="gridcell" className={classes.cell}>
                {loadingMore && <Loader size={14} />}
              </div>
              {columns.map((field) => (
                <div key={field.name} role="gridcell" className={classes.cell} data-number={isNumber(field) || undefined}>
                  <Text span fz="xs" c="dimmed" className={classes.value}>
                    {footer(field)}
                  </Text>
                </div>
              ))}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}
