// What each kind of work needs at hand (R66–R68). An object that the server does not know, or the user may not see, is left out; objects that no
// workspace names (an admin's own, a pack's) stand under "more".
import {
  type Icon,
  IconAddressBook,
  IconBox,
  IconBuilding,
  IconCalendarEvent,
  IconChartPie,
  IconClipboardList,
  IconCoin,
  IconFileInvoice,
  IconFileText,
  IconHeadset,
  IconHexagons,
  IconMail,
  IconMessages,
  IconReceipt,
  IconScript,
  IconSpeakerphone,
  IconSwords,
  IconTag,
  IconTarget,
  IconTicket,
  IconTimeline,
  IconTrophy,
  IconUser,
  IconUserPlus,
  IconUsersGroup,
} from '@tabler/icons-react';

export const WORKSPACES = ['sales', 'marketing', 'service', 'analytics', 'admin'] as const;
export type Workspace = (typeof WORKSPACES)[number];

export const OBJECTS: Record<Workspace, readonly string[]> = {
  sales: [
    'account',
    'contact',
    'lead',
    'opportunity',
    'task',
    'event',
    'quote',
    'contract',
    'order',
    'payment',
    'product',
    'competitor',
    'target',
  ],
  marketing: ['campaign', 'segment', 'lead', 'account', 'contact', 'message', 'survey', 'survey_response', 'tag'],
  service: ['case', 'account', 'contact', 'interaction', 'task', 'knowledge_article', 'survey_response'],
  analytics: ['segment', 'account', 'order', 'opportunity', 'campaign_member', 'target'],
  admin: ['user', 'team', 'rule', 'view', 'tag', 'duplicate_pair', 'import_mapping', 'price_list'],
};

/** Parts of other records: reached from those, never from the navigation. */
export const PARTS: ReadonlySet<string> = new Set([
  'order_line',
  'quote_line',
  'price_list_entry',
  'comment',
  'follower',
  'notification',
  'attachment',
  // On a screen of their own.
  'dashboard',
]);

const ICONS: Readonly<Record<string, Icon>> = {
  account: IconBuilding,
  contact: IconAddressBook,
  lead: IconUserPlus,
  opportunity: IconTrophy,
  task: IconClipboardList,
  event: IconCalendarEvent,
  quote: IconFileInvoice,
  contract: IconFileText,
  order: IconReceipt,
  payment: IconCoin,
  product: IconBox,
  competitor: IconSwords,
  target: IconTarget,
  campaign: IconSpeakerphone,
  segment: IconChartPie,
  message: IconMail,
  survey: IconMessages,
  survey_response: IconMessages,
  tag: IconTag,
  case: IconTicket,
  interaction: IconTimeline,
  knowledge_article: IconHeadset,
  user: IconUser,
  team: IconUsersGroup,
  rule: IconScript,
};

export function iconOf(object: string): Icon {
  return ICONS[object] ?? IconHexagons;
}
