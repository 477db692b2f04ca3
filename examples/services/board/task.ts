/** What a task is, and what requests may say about one. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";

/** In the order of a task's life. */
export const STATUSES = ["open", "in_progress", "blocked", "in_review", "done"] as const;
export type Status = (typeof STATUSES)[number];

export const NOTE_TYPES = ["update", "finding", "question", "blocker", "review"] as const;
export const ARTIFACT_TYPES = ["branch", "commit", "diff", "file", "report", "deploy", "url"] as const;

const oneOf = <T extends string>(values: readonly T[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));
const closed = { additionalProperties: false };
const text = (maxLength: number) => Type.String({ pattern: "\\S", maxLength });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const listOf = <T extends TSchema>(item: T, maxItems: number) =>
  Type.Array(item, { maxItems, uniqueItems: true });

const Name = text(100);
const Title = text(200);
const Description = Type.String({ maxLength: 20_000 });
const StatusSchema = oneOf(STATUSES);
const Tags = listOf(text(50), 50);
const TaskIds = listOf(Name, 100);

export const NewArtifact = Type.Object(
  { type: oneOf(ARTIFACT_TYPES), url: text(2000), label: Type.Optional(text(200)) },
  closed,
);
const Artifacts = Type.Array(NewArtifact, { minItems: 1, maxItems: 50 });

export const NewNote = Type.Object(
  { content: text(20_000), type: Type.Optional(oneOf(NOTE_TYPES)), author: Type.Optional(Name) },
  closed,
);

export const NewTask = Type.Object(
  {
    title: Title,
    createdBy: Name,
    description: Type.Optional(Description),
    status: Type.Optional(oneOf(["open", "in_progress", "blocked"])),
    assignee: Type.Optional(Name),
    tags: Type.Optional(Tags),
    dependencies: Type.Optional(TaskIds),
  },
  closed,
);

export const TaskPatch = Type.Object(
  {
    title: Type.Optional(Title),
    description: Type.Optional(nullable(Description)),
    status: Type.Optional(StatusSchema),
    assignee: Type.Optional(nullable(Name)),
    tags: Type.Optional(Tags),
    dependencies: Type.Optional(TaskIds),
    ifAssignee: Type.Optional(Type.Array(nullable(Name), { minItems: 1, maxItems: 10 })),
  },
  { ...closed, minProperties: 1 },
);

export const NewArtifacts = Type.Object({ artifacts: Artifacts, addedBy: Type.Optional(Name) }, closed);

export const Submission = Type.Object(
  {
    summary: Type.Optional(text(20_000)),
    artifacts: Type.Optional(Artifacts),
    submittedBy: Type.Optional(Name),
  },
  closed,
);

export const Approval = Type.Object(
  { comment: Type.Optional(text(20_000)), approvedBy: Type.Optional(Name) },
  closed,
);

export const Rejection = Type.Object({ reason: text(20_000), rejectedBy: Type.Optional(Name) }, closed);

export const TaskFilter = Type.Object(
  {
    status: Type.Optional(StatusSchema),
    assignee: Type.Optional(Type.String()),
    tag: Type.Optional(Type.String()),
    createdBy: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  },
  closed,
);
export type TaskFilter = Static<typeof TaskFilter>;

const Time = Type.String({ format: "date-time", description: "ISO 8601 UTC" });

/** Something that somebody said about a task. */
const Note = Type.Object({
  id: Type.String(),
  author: Type.String(),
  content: Type.String(),
  type: oneOf(NOTE_TYPES),
  createdAt: Time,
});
export type Note = Static<typeof Note>;

/** Where something that a task produced can be found. */
const Artifact = Type.Object({ ...NewArtifact.properties, addedBy: Type.String(), addedAt: Time });
export type Artifact = Static<typeof Artifact>;

/** A task as it is stored and sent. */
export const Task = Type.Object(
  {
    id: Type.String({ description: "UUIDv7" }),
    title: Type.String(),
    description: Type.Optional(Type.String()),
    status: StatusSchema,
    assignee: Type.Optional(Type.String()),
    tags: Type.Array(Type.String()),
    dependencies: Type.Array(Type.String(), {
      description: "Ids of the tasks that this one depends on",
    }),
    createdBy: Type.String(),
    createdAt: Time,
    updatedAt: Time,
    notes: Type.Array(Note),
    artifacts: Type.Array(Artifact),
    score: Type.Number({ description: "Number of bumps; lists start with the highest" }),
  },
  { $id: "Task" },
);
export type Task = Static<typeof Task>;
