package io.pare.exec.onednn;

import io.pare.dnnl.Activation;
import io.pare.dnnl.Arg;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Eltwise;
import io.pare.dnnl.Execution;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.Primitive;
import io.pare.exec.Value;

/**
 * The gradient that comes to a step whose value is {@code result}: before the ReLU, if the step computed one.
 */
final class Incoming {
    private final Layouts layouts;
    private final Value result;
    private final DnnlMemory beforeRelu;
    private final DnnlSource behindRelu;
    private final Execution relu;

    Incoming(Layouts layouts, Value result, boolean withRelu, DnnlMemory y) {
        this.layouts = layouts;
        this.result = result;
        if (withRelu) {
            Primitive primitive = new Eltwise(layouts.region(), y.desc(), Activation.RELU).backward();
            behindRelu = layouts.gradient(result, primitive.desc(Arg.DIFF_DST));
            // The gradient behind the ReLU is read here only.
            beforeRelu = layouts.allocate(primitive.desc(Arg.DIFF_SRC), behindRelu.memory());
            relu = primitive.bind(layouts.scratchpad()).with(Arg.DST, y).with(Arg.DIFF_DST, behindRelu.memory())
                    .with(Arg.DIFF_SRC, beforeRelu).prepare();
        } else {
            beforeRelu = null;
            behindRelu = null;
            relu = null;
        }
    }

    /** The gradient in a layout; {@link #refresh} must have run before the reading's own. */
    DnnlSource in(MemoryDesc wanted) {
        return relu == null ? layouts.gradient(result, wanted) : layouts.read(DnnlSource.of(beforeRelu), wanted);
    }

    void refresh() {
        if (relu != null) {
            behindRelu.refresh().run();
            relu.run();
        }
    }
}
