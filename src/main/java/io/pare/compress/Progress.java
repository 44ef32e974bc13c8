package io.pare.compress;

/** Told how a run goes, on the thread that runs it. */
public interface Progress {
    /** Says nothing. */
    Progress SILENT = new Progress() {};

    /** A stage begins, or goes on after a resume. */
    default void stageBegins(int number, int stages, String kind, int epochs) {}

    /** An epoch is over. */
    default void epoch(EpochRow row) {}

    /** A stage is over. */
    default void stageEnds(StageRow row) {}
}
