package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Source;
import io.pare.exec.Value;
import java.lang.foreign.MemorySegment;

/** {@link Operation.Distillation}. A few thousand logits a batch: plain Java in double precision. */
final class DistillationStep extends LossStep {
    private final Operation.Distillation op;
    private final Source teacher;
    private final double[] hard;
    private final double[] soft;
    private final double[] target;

    DistillationStep(Building building, Value node, Operation.Distillation op) {
        super(building, node);
        this.op = op;
        this.teacher = building.plain(node.input(1));
        this.hard = new double[classes];
        this.soft = new double[classes];
        this.target = new double[classes];
        building.allocateValue(node);
    }

    @Override
    public void forward() {
        outputs.refresh().run();
        teacher.refresh().run();
        MemorySegment logits = outputs.tensor().segment();
        double t = op.temperature();
        double sum = 0;
        for (int row = 0; row < rows; row++) {
            int label = building.labels().getAtIndex(JAVA_INT, row);
            softmax(logits, row, 1, hard);
            softmax(logits, row, t, soft);
            softmax(teacher.tensor().segment(), row, t, target);
            double distance = 0;
            for (int c = 0; c < classes; c++) {
                distance -= target[c] * Math.log(Math.max(soft[c], Double.MIN_NORMAL));
            }
            sum += (1 - op.share()) * -Math.log(Math.max(hard[label], Double.MIN_NORMAL))
                    + op.share() * t * t * distance;
            if (gradient != null) {
                for (int c = 0; c < classes; c++) {
                    double own = hard[c] - (c == label ? 1 : 0);
                    double taught = t * (soft[c] - target[c]);
                    gradient.segment().setAtIndex(JAVA_FLOAT, (long) row * classes + c,
                            (float) (((1 - op.share()) * own + op.share() * taught) / (rows * building.parts())));
                }
            }
        }
        building.pass().report(sum / rows, KERNELS.countCorrect(logits, 0, building.labels(), 0, rows, classes, 1));
    }

    private void softmax(MemorySegment logits, int row, double temperature, double[] result) {
        double max = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < classes; c++) {
            result[c] = logits.getAtIndex(JAVA_FLOAT, (long) row * classes + c) / temperature;
            max = Math.max(max, result[c]);
        }
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            result[c] = Math.exp(result[c] - max);
            sum += result[c];
        }
        for (int c = 0; c < classes; c++) {
            result[c] /= sum;
        }
    }
}
