/** Artifacts: what a task has recorded and its prompts show only in part; long results of calls, a long goal. */

export interface Artifacts {
  /**
   * @param id as a prompt named it; of this task alone, whatever it says
   * @returns the whole text, null when this task has recorded nothing by that name
   */
  read(taskId: string, id: string): Promise<string | null>;
}
