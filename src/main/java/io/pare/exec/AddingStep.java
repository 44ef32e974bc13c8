package io.pare.exec;

/** A step that adds its parameters' gradients to those that are there. */
record AddingStep(Step step, Runnable[] additions) implements Step {
    @Override
    public void readMasks() {
        step.readMasks();
    }

    @Override
    public void forward() {
        step.forward();
    }

    @Override
    public void prepareBackward() {
        throw new AssertionError("the tape is built");
    }

    @Override
    public void backward() {
        step.backward();
        for (Runnable addition : additions) {
            addition.run();
        }
    }
}
