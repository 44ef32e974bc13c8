package io.pare.exec.java;

import io.pare.blas.Gemm;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.TensorOp;
import io.pare.tensor.Computation;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/** Any {@link TensorOp}, by its {@link Computation}. */
final class TensorStep implements Step {
    private final Building building;
    private final Value node;
    private final Computation computation;
    private final List<Source> sources;
    private final MemorySegment[] x;
    private final FloatTensor y;
    private final MemorySegment scratch;
    private MemorySegment backwardScratch;
    private final MemorySegment[] dx;
    private Source dy;

    TensorStep(Building building, Value node, TensorOp op) {
        this.building = building;
        this.node = node;
        this.computation = Computation.of(op, IntStream.range(0, op.arity()).mapToObj(node::input)
                .map(Value::sample).toList(), Gemm::sgemm);
        this.sources = node.inputs().stream().map(building::plain).toList();
        this.x = sources.stream().map(source -> source.tensor().segment()).toArray(MemorySegment[]::new);
        this.dx = new MemorySegment[x.length];
        this.y = building.allocateValue(node);
        this.scratch = scratch(computation.scratchBytes(node.size(0)));
    }

    @Override
    public void forward() {
        refresh();
        computation.forward(node.size(0), x, y.segment(), scratch);
    }

    private void refresh() {
        for (int i = 0; i < sources.size(); i++) {
            sources.get(i).refresh().run();
        }
    }

    private boolean needsGradient() {
        return node.inputs().stream().anyMatch(building::needsGradient);
    }

    @Override
    public void prepareBackward() {
        if (!needsGradient()) {
            return;
        }
        dy = building.gradient(node);
        switch (computation.reads()) {
            case NOTHING -> {
                // Nothing of the forward pass stays.
            }
            case INPUTS -> useInputs();
            case OUTPUT -> building.uses(y);
            case BOTH -> {
                useInputs();
                building.uses(y);
            }
        }
        for (int i = 0; i < x.length; i++) {
            dx[i] = building.needsGradient(node.input(i)) ? building.gradientFor(node.input(i)).segment() : null;
        }
        backwardScratch = scratch(computation.backwardScratchBytes(node.size(0)));
    }

    private MemorySegment scratch(long bytes) {
        return bytes == 0 ? MemorySegment.NULL : building.scratch(bytes);
    }

    private void useInputs() {
        for (Source source : sources) {
            building.uses(source.tensor());
        }
    }

    @Override
    public void backward() {
        if (dy != null) {
            dy.refresh().run();
            computation.backward(node.size(0), x, y.segment(), dy.tensor().segment(), dx, backwardScratch);
        }
    }
}
