package io.pare.compress.recipe;

import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;

/** Receives the progress of a run, on the thread that runs it. */
public interface PipelineListener {
    /** Ignores everything. */
    PipelineListener SILENT = new PipelineListener() {};

    /** A stage begins, or is resumed. */
    default void stageBegins(int number, int stages, String kind, int epochs) {}

    /** An epoch is over. */
    default void epoch(EpochRow row) {}

    /** A stage is over. */
    default void stageEnds(StageRow row) {}
}
