/** Tasks as the API shows them. */
import * as z from 'zod';
import { isTaskOpen, type Task } from '../../shared/domain/task.ts';

const taskViewSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    version: z.int(),
    contactId: z.string(),
    inquiryId: z.string().optional(),
    location: z.string(),
    title: z.string(),
    dueAt: z.string(),
    owner: z.string().optional(),
    /** Whether it goes with its inquiry to whoever gets that. */
    follows: z.boolean(),
    done: z.boolean(),
    doneAt: z.string().optional(),
    doneBy: z.string().optional(),
    madeBy: z.string(),
    madeAt: z.string(),
    reminders: z.int(),
  }),
);
export type TaskView = z.infer<typeof taskViewSchema>;

export const taskView = (task: Task): TaskView =>
  taskViewSchema.parse({
    ...task,
    location: task.locationId,
    follows: task.follows === true,
    done: !isTaskOpen(task),
  });
