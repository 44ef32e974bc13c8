package io.pare.compress.recipe;

import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;

/** Told how a run goes, on the thread that runs it. */
public interface PipelineListener {
    /** Says nothing. */
    PipelineListener SILENT = new PipelineListener() {};

    /** A stage begins, or goes on after a resume. */
    default void stageBegins(int number, int stages, String kind, int epochs) {}

    /** An epoch is over. */
    default void epoch(EpochRow row) {}

    /** A stage is over. */
    default void stageEnds(StageRow row) {}
}
