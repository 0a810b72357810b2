/** The way from an id that a client sent to the task it names, to ask it something or to send it a request. */

import type { Event } from "../domain/event.ts";
import { TaskId } from "../domain/ids.ts";
import type { Request } from "../domain/request.ts";
import type { Task } from "../domain/task.ts";
import { statusOf } from "../domain/view.ts";
import { LoomError, refused } from "../lib/errors.ts";
import type { Applied } from "../ports/loom.ts";
import type { Driver } from "./driver.ts";
import type { Supervisor } from "./supervisor.ts";

export interface AccessPorts {
  readonly supervisor: Supervisor;
}

/** @throws LoomError not_found, log_corrupt */
export async function driverOf({ supervisor }: AccessPorts, taskId: string): Promise<Driver> {
  if (!TaskId.safeParse(taskId).success) {
    throw new LoomError("not_found", `There is no task "${taskId}"`, { hint: "GET /tasks lists the tasks" });
  }
  return await supervisor.driver(taskId);
}

export async function taskOf(ports: AccessPorts, taskId: string): Promise<Task> {
  return (await driverOf(ports, taskId)).task;
}

/** @throws LoomError the refusal, when there is one */
export async function send(
  ports: AccessPorts,
  taskId: string,
  request: Request,
): Promise<{ readonly applied: Applied; readonly events: readonly Event[]; readonly task: Task }> {
  const driver = await driverOf(ports, taskId);
  const result = await driver.send(request);
  if (!result.ok) throw refused(result.error);
  const { appliedSeq, events } = result.value;
  return { applied: { appliedSeq, status: statusOf(driver.task) }, events, task: driver.task };
}
