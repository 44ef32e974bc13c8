package io.pare.exec;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A step that fills memory with NaN once it is dead. A read of dead memory then yields NaN, which tests detect.
 *
 * @param memory of all blocks
 * @param before blocks to fill before the forward pass
 * @param afterForward blocks whose last use is the step's forward pass
 * @param afterRepeat blocks whose last use is its repeated forward pass
 * @param afterBackward blocks whose last use is its backward pass
 */
record PoisonedStep(Step step, Pass pass, MemorySegment memory, List<MemoryPlan.Block> before,
        List<MemoryPlan.Block> afterForward, List<MemoryPlan.Block> afterRepeat,
        List<MemoryPlan.Block> afterBackward) implements Step {
    private void fill(List<MemoryPlan.Block> blocks) {
        blocks.forEach(block -> memory.asSlice(block.offset(), block.bytes()).fill((byte) -1));
    }

    @Override
    public void readMasks() {
        step.readMasks();
    }

    @Override
    public void forward() {
        if (!pass.repeating()) {
            fill(before);
        }
        step.forward();
        fill(pass.repeating() ? afterRepeat : afterForward);
    }

    @Override
    public void prepareBackward() {
        throw new AssertionError("the tape is built");
    }

    @Override
    public void backward() {
        step.backward();
        fill(afterBackward);
    }
}
