package io.pare.exec;

import io.pare.mem.CriticalSection;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import java.util.HashMap;
import java.util.Map;

/**
 * A plan of memory, the segments that it is for, and how many forward steps there are: what dry runs of the compiler find.
 */
record SegmentChoice(MemoryPlan plan, Segments segments, int steps) {
    /** More of them would save little more. */
    private static final int MOST_SEGMENTS = 12;

    /** With {@code recompute}, the number of segments whose plan takes least memory; else one. */
    static SegmentChoice of(Goal goal, boolean recompute) {
        if (!goal.backend().planned()) {
            throw new IllegalArgumentException("the backend has no plan of its memory");
        }
        SegmentChoice best = survey(goal, Segments.NONE);
        if (recompute && goal.training()) {
            long[] kept = best.kept();
            for (int count = 2; count <= Math.min(MOST_SEGMENTS, kept.length); count++) {
                SegmentChoice next = survey(goal, Segments.of(kept, count));
                best = next.plan().bytes() < best.plan().bytes() ? next : best;
            }
        }
        return best;
    }

    /** Bytes that each step leaves for the backward pass. */
    private long[] kept() {
        long[] kept = new long[steps];
        plan.blocks().stream().filter(block -> block.first() < steps && block.lastsTo(steps))
                .forEach(block -> kept[block.first()] += block.size());
        return kept;
    }

    private static SegmentChoice survey(Goal goal, Segments segments) {
        Map<String, long[]> shapes = new HashMap<>();
        for (Value node : goal.order()) {
            if (node.op() instanceof Operation.Parameter(String name)) {
                shapes.put(name, node.shape());
            } else if (node.op() instanceof Operation.State(String name)) {
                shapes.put(name, node.shape());
            }
        }
        MemorySurvey survey = new MemorySurvey(shapes, segments);
        try (Region handles = Region.confined("memory survey")) {
            CriticalSection section = new CriticalSection(new Workspace(handles).oneThread()).on(handles);
            Program program = Compiler.compile(goal, segments, handles, survey, section, survey);
            return new SegmentChoice(survey.plan(), segments, program.steps().length);
        }
    }
}
