/**
 * Off-heap memory: {@link io.pare.mem.Region} owns it, {@link io.pare.mem.FloatTensor} gives it a shape.
 */
package io.pare.mem;
