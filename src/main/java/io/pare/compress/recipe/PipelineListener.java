package io.pare.compress.recipe;

import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;

/** Receives the progress of a run, on the thread that runs it. */
public interface PipelineListener {
    /** Ignores everything. */
    PipelineListener SILENT = new PipelineListener() {};

    /**
     * Hears that a run begins, or is resumed; a job may have several, the first of which trains the dense network.
     *
     * @param recipe its name
     * @param epochs of the run that are over
     */
    default void runBegins(String recipe, long epochs) {}

    /**
     * Hears that a stage begins, or is resumed.
     *
     * @param number of the stage, from 1
     * @param stages of the recipe
     * @param kind name of the stage, as in recipes
     * @param epochs of the stage
     */
    default void stageBegins(int number, int stages, String kind, int epochs) {}

    /**
     * Hears that an epoch is over.
     *
     * @param row what was measured
     */
    default void epoch(EpochRow row) {}

    /**
     * Hears that a stage is over.
     *
     * @param row what it left
     */
    default void stageEnds(StageRow row) {}
}
