package io.pare.cli;

import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;
import io.pare.net.Task;
import io.pare.train.Network;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * Writes the epochs of a compression for TensorBoard and passes on what it hears. Each run of a recipe has a folder of its
 * own, since each counts its epochs from 1: the dense training, and the recipe. One thread.
 */
final class CompressionEvents implements PipelineListener, AutoCloseable {
    private final Path folder;
    private final Task task;
    private final Supplier<Network> network;
    private final PipelineListener next;
    private RunEvents events;

    CompressionEvents(Path folder, Task task, Supplier<Network> network, PipelineListener next) {
        this.folder = folder;
        this.task = task;
        this.network = network;
        this.next = next;
    }

    @Override
    public void runBegins(String recipe, long epochs) {
        close();
        events = new RunEvents(folder.resolve(recipe.replaceAll("[^\\w.=+-]", "_")), epochs);
        next.runBegins(recipe, epochs);
    }

    @Override
    public void stageBegins(int number, int stages, String kind, int epochs) {
        next.stageBegins(number, stages, kind, epochs);
    }

    @Override
    public void epoch(EpochRow row) {
        events.epoch(row, task, network.get());
        next.epoch(row);
    }

    @Override
    public void stageEnds(StageRow row) {
        next.stageEnds(row);
    }

    @Override
    public void close() {
        if (events != null) {
            events.close();
        }
    }
}
